"""hear.py: what a listener hears of calls; a JSON object a line on stdin, and its scores a line on stdout.

{"reference": WAV, "recording": WAV} gives PESQ-WB of windows of six seconds, STOI of windows of one and a half, and how
much later than in the reference each of the latter was found in the recording. As in score.py each window is looked for
by itself, for a call may shift speech in time.
"""

import json
import sys
from multiprocessing import Pool

import numpy as np
from pesq import pesq
from pystoi import stoi
from score import RATE, correlate, load

LEAD = 4 * RATE  # until the jitter buffer and the sender have found their depth
WINDOW = 6 * RATE
MOMENT = 3 * RATE // 2
STEP = RATE
CLEAR = 0.4  # correlation from which on it was found
LATEST = RATE  # how much later than in the reference it may be
QUIET = 10 ** (-45 / 20)


def find(window, start, recording):
    """The offset in the recording, with its fraction, at which the window fits best, and how well."""
    area = recording[start : start + LATEST + len(window)]
    energy = np.concatenate(([0.0], np.cumsum(area**2)))
    energy = np.maximum(energy[len(window) :] - energy[: -len(window)], 1e-9) * max(np.sum(window**2), 1e-9)
    fits = correlate(area, window) / np.sqrt(energy)
    best = int(np.argmax(fits))
    fraction = 0.0
    if 0 < best < len(fits) - 1:
        before, here, after = fits[best - 1 : best + 2]
        bend = before - 2 * here + after
        fraction = 0.5 * (before - after) / bend if bend < 0 else 0.0
    return start + best, fraction, fits[best]


def pesq_of(reference, recording, start):
    window = reference[start : start + WINDOW]
    found, _, _ = find(window, start, recording)
    heard = recording[found : found + WINDOW]
    return 1.0 if np.abs(heard).max() < 1e-4 else float(pesq(RATE, window, heard, "wb"))


def hear(line):
    case = json.loads(line)
    reference, recording = load(case["reference"]), load(case["recording"])
    recording = np.pad(recording, (0, RATE))
    windows = range(LEAD, len(reference) - WINDOW + 1, WINDOW)
    understood, delays = [], []
    for start in range(LEAD, len(reference) - MOMENT + 1, STEP):
        moment = reference[start : start + MOMENT]
        if moment.std() < QUIET:
            continue
        found, fraction, fit = find(moment, start, recording)
        understood.append(float(stoi(moment, recording[found : found + MOMENT], RATE)))
        if fit >= CLEAR:
            delays.append(float(found + fraction - start) * 1000 / RATE)
    scores = [pesq_of(reference, recording, start) for start in windows]
    return json.dumps({"pesq": scores, "stoi": understood, "delays_ms": delays})


if __name__ == "__main__":
    with Pool(2) as pool:
        for scores in pool.imap(hear, sys.stdin):
            print(scores, flush=True)
