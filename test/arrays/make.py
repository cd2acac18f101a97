"""
Arrays of numpy, as archives with and without compression, and what is in them:

    python3 test/arrays/make.py
"""
import json, pathlib
import numpy as np

HERE = pathlib.Path(__file__).parent
counts = np.arange(24).reshape(2, 3, 4)
arrays = {f'{kind} {order}': (counts - (12 if kind[1] not in 'ub' else 0)).astype(kind, order=order)
          for kind in ['<f8', '>f8', '<f4', '>f4', '<f2', '>f2', '<i8', '>i8', '<i4', '>i2', '|i1', '<u8', '>u4', '<u2', '|u1', '|b1']
          for order in 'CF'}
arrays.update({'thirds': np.array([1 / 3, -2 / 3]), 'scalar': np.array(2.5), 'empty': np.zeros((0, 3)), 'one': np.ones(1, '<i8'),
               'large': np.array([2 ** 40, -1]), 'ends': np.array([-2 ** 31, 2 ** 31 - 1]), 'größe': np.zeros((1, 1, 1, 1, 1))})
np.savez(HERE / 'plain.npz', **arrays)
np.savez_compressed(HERE / 'packed.npz', **arrays)
values = {name: {'shape': a.shape, 'data': a.flatten().astype(float).tolist()} for name, a in arrays.items()}
(HERE / 'arrays.json').write_text(json.dumps(values, ensure_ascii=False) + '\n')
