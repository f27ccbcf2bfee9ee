import numpy as np

from processing.verdict import Policy, decide


def test_the_first_model_of_a_group_needs_no_comparison():
    verdict = decide(np.array(["1", "2"]), np.array(["1", "1"]), None, np.array(["a", "b"]), Policy())
    assert (verdict.verdict, verdict.rows, verdict.p_value) == ("FIRST", 2, None)
