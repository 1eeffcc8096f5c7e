"""The log differs between databases: every test of its data sets runs on both."""

from tests.support.databases import run_on_both_databases

pytest_generate_tests = run_on_both_databases
