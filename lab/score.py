"""score.py REFERENCE.wav RECORDING.wav: segment-wise PESQ-WB as one JSON object.

A call shifts speech in time, and a jitter buffer may shift it a little more now and then; PESQ punishes that although
ears do not. So the reference is cut into windows, each is looked for in the recording by cross-correlation near where
the window before was found, and each is scored by itself.
"""

import json
import sys

import numpy as np
import soundfile
from pesq import pesq
from scipy.signal import resample_poly

RATE = 16_000
WINDOW = 5 * RATE
SKIP = 1 * RATE  # the first second: set-up, and the jitter buffer finding its depth
EARLIEST, LATEST = -int(0.5 * RATE), int(2.0 * RATE)  # where a window may be found, from where it was sent


def load(path):
    samples, rate = soundfile.read(path)
    if samples.ndim > 1:
        samples = samples.mean(axis=1)
    common = np.gcd(rate, RATE)
    return resample_poly(samples, RATE // common, rate // common)


def find(window, recording, start):
    """The offset in the recording at which the window fits best."""
    begin = max(0, start + EARLIEST)
    area = recording[begin : start + LATEST + WINDOW]
    if len(area) < WINDOW:
        return None
    size = 1 << (len(area) + len(window)).bit_length()
    correlation = np.fft.irfft(np.fft.rfft(area, size) * np.conj(np.fft.rfft(window, size)), size)
    # Every fit whose window lies wholly inside the recording.
    return begin + int(np.argmax(correlation[: len(area) - WINDOW + 1]))


def score(reference, recording):
    segments = []
    for start in range(SKIP, len(reference) - WINDOW, WINDOW):
        if start + WINDOW + RATE // 4 > len(recording):
            break  # the call ended inside this window
        window = reference[start : start + WINDOW]
        found = find(window, recording, start)
        if found is None:
            break
        heard = recording[found : found + WINDOW]
        quiet = np.abs(heard).max() < 1e-4
        segments.append(
            {
                "start": start / RATE,
                "lag_ms": round((found - start) * 1000 / RATE, 1),
                "pesq_wb": 1.0 if quiet else round(float(pesq(RATE, window, heard, "wb")), 3),
            }
        )
    return segments


def main():
    segments = score(load(sys.argv[1]), load(sys.argv[2]))
    if not segments:
        sys.exit("score.py: the recording is too short to score")
    scores = [segment["pesq_wb"] for segment in segments]
    print(json.dumps({"mean": round(float(np.mean(scores)), 3), "min": min(scores), "segments": segments}))


main()
