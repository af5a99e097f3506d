"""A CUDA device played on the CPU, so that the CUDA path runs where no GPU is.

Tensors say that they are on `cuda:0` and hold a CPU tensor. Shown are CUDA's rules: what may lie where, what waits for
the device, what a capture forbids, what a graph's replay sees, on which stream it ran, how much memory it holds, how
many kernels are launched and how many bytes they move.

It cannot show: cuDNN's engines and algorithms, the kernels' own rounding, the fragmentation of the real allocator,
speed, races between streams (operations run in the order of their calls; only copies to pinned memory arrive late),
asynchronous errors, several devices, or what torch.compile makes. A launch is one operation, whatever kernels it needs.
Tensors are made on it in the thread that entered `runtime.emulated`; processes that a test starts know nothing of it.

`runtime.emulated` lets torch find it, `state.device` is what it is and what happened on it (`waits`, `draws`, `notes`,
`captures`, `memory`, `fail_next`, `without_numbers`), `counting.count` counts.
"""
