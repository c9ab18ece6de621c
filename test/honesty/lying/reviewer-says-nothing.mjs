// As the reviewer: ends well without a report.
