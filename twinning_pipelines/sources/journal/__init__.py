"""What a person says or writes about their days."""
