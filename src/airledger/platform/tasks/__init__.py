"""Units of work that outlive the process that wanted them.

A row of `tasks` is the truth: queue, status, attempts, lease, unique key. Workers lease rows; where Celery is on, its
message only carries the id and the same lease guards it. What a lost message or a dead worker left, the sweeper sends
again. So every task runs at least once, and must be idempotent.
"""
