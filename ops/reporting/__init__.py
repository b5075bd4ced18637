"""Where a review's changes come from, and the pages that it becomes."""
