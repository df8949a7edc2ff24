"""Real processes, a real Postgres and a counting model server, faults all the time, and an audit of what is left.

python -m tests.reliability.chaos --seed 1 --runs 500
"""
