"""The notifier: writes to persons what other services ordered, by mail, SMS or letter, until it is sent or someone is told."""
