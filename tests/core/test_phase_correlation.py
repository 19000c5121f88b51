import numpy as np
import pytest

from rendermodules.core.phase_correlation import candidate_displacements


@pytest.mark.parametrize("shift", [(0.0, 0.0), (5.0, -3.0), (-7.25, 2.5), (0.5, 9.75)])
def test_peak_tells_where_p_lies_in_q(texture, shift):
    field = texture((96, 128))
    spectrum = np.fft.fft2(field - field.mean())
    phase = np.fft.fftfreq(96)[:, None] * shift[1] + np.fft.fftfreq(128) * shift[0]
    p, q = field - field.mean(), np.fft.ifft2(spectrum * np.exp(-2j * np.pi * phase)).real
    peaks = candidate_displacements(p.astype(np.float32), q.astype(np.float32), 12, 2).displacements
    np.testing.assert_allclose(peaks[0], shift, atol=0.15)


def test_further_peaks_stay_within_the_radius(texture):
    # what is left beside a high peak is a slope, not a peak
    p, q = (texture((60, 70), seed) - 128 for seed in (0, 1))
    for other in (p, q, np.zeros_like(p)):
        peaks = candidate_displacements(p, other, 6, 5).displacements
        assert np.isfinite(peaks).all()
        assert np.abs(peaks).max() <= 6.5


def test_what_stands_out_and_what_goes_together(texture):
    field = texture((140, 140)).astype(np.float32)
    field -= field.mean()
    y, x = np.mgrid[:96, :96]
    stripes = np.cos(2 * np.pi * x / 12).astype(np.float32)
    noise = np.random.default_rng(0).normal(size=(2, 96, 96)).astype(np.float32)
    same = candidate_displacements(field[:96, :96], field[5:101, 9:105], 12, 2)
    np.testing.assert_allclose(same.displacements[0], (-9, -5), atol=0.2)
    repeated = candidate_displacements(stripes + 0.3 * noise[0], stripes + 0.3 * noise[1], 12, 2)
    apart = candidate_displacements(*noise, 12, 2)
    assert same.distinctness(0) > 2 * max(repeated.distinctness(0), apart.distinctness(0))
    assert repeated.structure > 5 * same.structure > 5 * apart.structure
