"""HyperScore by its formula, and what it is made of."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.errors import UserError
from medaug.metrics import HyperScore, ShapleyWeights, gamma_for_midpoint, hyperscore

SHAPLEY = ShapleyWeights({"fid": 0.6, "ssim": 0.3, "psnr": 0.1}, {}, {}, 0.8)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1e-9, 100.0),
        (0.5, 100.0237),
        (0.75, 101.125),
        (0.9, 105.1959),
        (0.95, 107.7820),
        (1.0, 111.1111),
    ],
)
def test_values_of_the_published_constants(value, expected):
    """0.95 is the paper's own example, for which it prints 137.2."""
    assert hyperscore(value) == pytest.approx(expected, abs=5e-5)


def test_the_printed_example_has_the_other_sign():
    """With gamma = +ln 2; of a sigmoid rounded to 0.61 the paper's 137.2 would come."""
    assert hyperscore(0.95, gamma=math.log(2)) == pytest.approx(136.9017, abs=5e-5)


@given(st.floats(1e-6, 1))
@settings(deadline=None, derandomize=True)
def test_published_constants_have_a_closed_form(value):
    """100 (1 + (V^5 / (V^5 + 2))^2)."""
    power = value**5
    assert hyperscore(value) == pytest.approx(100 * (1 + (power / (power + 2)) ** 2), rel=1e-12)


@given(
    st.floats(1e-6, 1),
    st.floats(1e-6, 1),
    st.floats(0.1, 50),
    st.floats(-50, 50),
    st.floats(0.1, 9),
)
@settings(deadline=None, derandomize=True)
def test_more_is_never_less(one, other, beta, gamma, kappa):
    """Whatever the constants, a higher V has no lower score, and none is outside 100 to 200."""
    low, high = (hyperscore(v, beta, gamma, kappa) for v in sorted((one, other)))
    assert 100 <= low <= high <= 200


def test_gamma_puts_the_midpoint_where_it_is_wanted():
    """Half of the sigmoid is a quarter of the range with kappa = 2."""
    gamma = gamma_for_midpoint(0.5)
    assert gamma == pytest.approx(3.4657, abs=5e-5)
    assert hyperscore(0.5, gamma=gamma) == pytest.approx(125)
    assert hyperscore(0.95, gamma=gamma) == pytest.approx(192.3870, abs=5e-5)
    assert hyperscore(1, gamma=gamma) == pytest.approx(194.0312, abs=5e-5)
    assert hyperscore(0.7, 3, gamma_for_midpoint(0.7, 3), 1) == pytest.approx(150)
    assert str(gamma_for_midpoint(1)) == "0.0"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0,), "value must be above 0 and at most 1, got 0.0"),
        ((-0.1,), "value must be above 0 and at most 1, got -0.1"),
        ((1.0001,), "value must be above 0 and at most 1, got 1.0001"),
        ((math.nan,), "value must be above 0 and at most 1, got nan"),
        ((0.5, 0.0), "beta must be a finite number above 0, got 0.0"),
        ((0.5, math.inf), "beta must be a finite number above 0, got inf"),
        ((0.5, 5, math.nan), "gamma must be a finite number, got nan"),
        ((0.5, 5, 1, 0), "kappa must be a finite number above 0, got 0"),
    ],
)
def test_what_is_out_of_range_is_refused(arguments, message):
    """V as well as the constants."""
    with pytest.raises(UserError, match=message):
        hyperscore(*arguments)


@pytest.mark.parametrize("midpoint", [0, 1.2, math.nan])
def test_a_midpoint_that_no_value_reaches_is_refused(midpoint):
    """As is a beta that would turn the score around."""
    with pytest.raises(UserError, match="midpoint must be above 0 and at most 1, got"):
        gamma_for_midpoint(midpoint)
    with pytest.raises(UserError, match="beta must be a finite number above 0, got -1"):
        gamma_for_midpoint(0.5, -1)


def test_without_an_outcome_all_parts_weigh_the_same():
    """And what the paper has besides is left out, with a reason."""
    found = HyperScore.combine({"fid": 0.5, "diversity": 0.9})
    assert found.value == pytest.approx(0.7)
    assert found.score == pytest.approx(hyperscore(0.7))
    assert found.weights == {"fid": 0.5, "diversity": 0.5}
    assert found.weighting == "equal"
    assert list(found.left_out) == ["psnr", "ssim", "realism"]
    assert "needs pairs" in found.left_out["psnr"]
    assert found.left_out["realism"] == "no ratings by readers were given"


def test_weights_of_what_is_left_out_go_to_the_rest():
    """0.6 and 0.3 of 0.9."""
    found = HyperScore.combine({"fid": 0.5, "ssim": 0.8}, weights=SHAPLEY)
    assert found.weights == pytest.approx({"fid": 2 / 3, "ssim": 1 / 3})
    assert found.value == pytest.approx(0.6)
    assert found.weighting == "shapley"
    assert "psnr" in found.left_out


def test_reasons_and_constants_can_be_given():
    """One's own words for a paper's component, and a component that the paper hasn't."""
    found = HyperScore.combine(
        {"fid": 1.0},
        left_out={"realism": "readers are on holiday", "structure": "one class only", "fid": "no"},
        gamma=gamma_for_midpoint(0.5),
    )
    assert found.left_out["realism"] == "readers are on holiday"
    assert found.left_out["structure"] == "one class only"
    assert "fid" not in found.left_out
    assert found.score == pytest.approx(194.0312, abs=5e-5)


def test_perfect_parts_give_one_in_spite_of_rounding():
    """Ten times a tenth is not quite one; V may not exceed it."""
    found = HyperScore.combine(dict.fromkeys("abcdefghij", 1.0))
    assert found.value == pytest.approx(1)
    assert found.value <= 1
    assert sum(found.weights.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("parts", "weights", "message"),
    [
        ({}, None, "parts must be at least one component, got none"),
        ({"fid": 0.0}, None, "part fid must be above 0 and at most 1, got 0.0"),
        ({"fid": 1.1}, None, "part fid must be above 0 and at most 1, got 1.1"),
        ({"fid": math.nan}, None, "part fid must be above 0 and at most 1, got nan"),
        (
            {"fid": 0.5, "diversity": 0.5},
            SHAPLEY,
            "weights must be of the parts fid, diversity, got fid, ssim, psnr",
        ),
        (
            {"fid": 0.5},
            ShapleyWeights({"fid": 0.5, "fids": 0.5}, {}, {}, 1),
            "weights must be of the parts fid, got fid, fids",
        ),
        (
            {"fid": 0.5},
            ShapleyWeights({"fid": 0.0, "ssim": 1.0}, {}, {}, 1),
            "weights of the parts fid must add up to more, got 0.0",
        ),
    ],
)
def test_parts_and_weights_that_do_not_fit_are_refused(parts, weights, message):
    """None, out of range, without a weight, unknown, or with no weight at all."""
    with pytest.raises(UserError, match=message):
        HyperScore.combine(parts, weights=weights)
