"""onnxruntime's own answers: `MODEL ROWS.csv`; without arguments, where its library is."""

import glob
import json
import os
import sys

import numpy
import onnxruntime

if len(sys.argv) == 1:
    folder = os.path.dirname(onnxruntime.__file__)
    print(glob.glob(f"{folder}/capi/libonnxruntime.so*")[0])
    sys.exit()
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options)
rows = numpy.loadtxt(sys.argv[2], delimiter=",", skiprows=1, dtype=numpy.float32, ndmin=2)
name = session.get_inputs()[0].name
# One row at a time where it takes no more.
parts = [rows] if session.get_inputs()[0].shape[0] != 1 else numpy.split(rows, len(rows))
found = [session.run(["probabilities"], {name: part})[0] for part in parts]
print(json.dumps([[float(x) for x in row] for part in found for row in part]))
