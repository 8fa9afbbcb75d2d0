"""What the paper's article concludes, measured on the table of its operators in one skeleton."""
