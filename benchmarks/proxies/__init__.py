"""What is known of architectures before they are fully trained, measured on the table."""
