"""The benchmark suite (`make bench`): the hot paths of the node, each against a bare reference started in the same run.

Absolute figures depend on the machine and on who else uses it; ratios inside one run and CPU microseconds per request
do not, much. The process under test has core 0 to itself; load generator and PostgreSQL share core 1.
"""
