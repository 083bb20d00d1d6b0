"""Where deals, invoices and expenses come from."""
