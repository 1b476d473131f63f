"""What every room stands on: settings, database, events, tasks, the doors to the outside."""
