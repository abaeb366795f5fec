"""score.py REFERENCE.wav RECORDING.wav [SECONDS]: segment-wise PESQ-WB as one JSON object.

A call shifts speech in time, and a jitter buffer may shift it a little more now and then; PESQ punishes that although
ears do not. So the reference is cut into windows, each is looked for in the recording by cross-correlation near where
the window before was found, and each is scored by itself. So many seconds of the recording come before the reference.
"""

import json
import sys

import numpy as np
import soundfile
from pesq import pesq
from scipy.signal import resample_poly

RATE = 16_000
WINDOW = 5 * RATE
MOMENT = RATE  # what is found again by itself, to see how the delay changes
CLEAR = 0.5  # correlation from which on it was found
SKIP = 1 * RATE  # the first second: set-up, and the jitter buffer finding its depth
EARLIEST, LATEST = -int(0.5 * RATE), int(2.0 * RATE)  # where a window may be found, from where it was sent


def load(path):
    samples, rate = soundfile.read(path)
    if samples.ndim > 1:
        samples = samples.mean(axis=1)
    common = np.gcd(rate, RATE)
    return resample_poly(samples, RATE // common, rate // common)


def correlate(area, window):
    """How well the window fits at each offset of the area at which it lies wholly inside."""
    size = 1 << (len(area) + len(window)).bit_length()
    correlation = np.fft.irfft(np.fft.rfft(area, size) * np.conj(np.fft.rfft(window, size)), size)
    return correlation[: len(area) - len(window) + 1]


def find(window, recording, start):
    """The offset in the recording at which the window fits best."""
    begin = max(0, start + EARLIEST)
    area = recording[begin : start + LATEST + WINDOW]
    if len(area) < WINDOW:
        return None
    return begin + int(np.argmax(correlate(area, window)))


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


def lags(reference, recording):
    """How much later than in the reference each moment is in the recording, in milliseconds."""
    found = []
    for start in range(SKIP, len(reference) - MOMENT, MOMENT // 2):
        moment = reference[start : start + MOMENT]
        begin = max(0, start + EARLIEST)
        area = recording[begin : start + LATEST + MOMENT]
        if len(area) < MOMENT:
            break
        energy = np.concatenate(([0.0], np.cumsum(area**2)))
        energy = energy[MOMENT:] - energy[:-MOMENT]
        clear = correlate(area, moment) / np.sqrt(np.maximum(energy, 1e-9) * max(np.sum(moment**2), 1e-9))
        best = int(np.argmax(clear))
        if clear[best] >= CLEAR:
            found.append(round((begin + best - start) * 1000 / RATE, 1))
    return found


def main():
    reference, recording = load(sys.argv[1]), load(sys.argv[2])
    if len(sys.argv) > 3:
        recording = recording[round(float(sys.argv[3]) * RATE) :]
    segments = score(reference, recording)
    if not segments:
        sys.exit("score.py: the recording is too short to score")
    scores = [segment["pesq_wb"] for segment in segments]
    mean = round(float(np.mean(scores)), 3)
    print(json.dumps({"mean": mean, "min": min(scores), "segments": segments, "lags_ms": lags(reference, recording)}))


if __name__ == "__main__":
    main()
