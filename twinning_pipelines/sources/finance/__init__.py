"""Money: statements and registers that banks and finance programs export."""
