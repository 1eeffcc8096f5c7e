"""The log of predictions differs between databases: every test of it runs on both."""

from tests.support.databases import run_on_both_databases

pytest_generate_tests = run_on_both_databases
