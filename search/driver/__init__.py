"""What one driver does for a study, whoever runs its trials: proposes, hands out, writes down."""
