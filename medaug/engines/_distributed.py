"""Several processes as one: started by torchrun, nccl on GPUs and gloo on CPUs.

Gradients are averaged here rather than by DistributedDataParallel: a GAN runs its discriminator
three and more times before a backward pass, penalties differentiate twice, and micro-batches
accumulate, each of which DDP knows only under conditions. GANs are small; one all-reduce of all
gradients costs little. (StyleGAN2-ADA does the same.)
"""

import logging
import os
import socket
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, TypeVar

import torch
from ignite import distributed as idist
from torch import Tensor, distributed, nn

from ..errors import UserError

Result = TypeVar("Result")

PORT = "medaug/port"
PATIENCE = timedelta(seconds=5)


def local_device() -> torch.device:
    """This process's own GPU, by torchrun's LOCAL_RANK; else the CPU."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


def start_distributed() -> None:
    """Join the other processes that torchrun started; alone, or a second time, do nothing.

    From here on, messages are logged by rank 0; warnings and errors by every rank.
    """
    if "WORLD_SIZE" not in os.environ or distributed.is_initialized():
        return
    device = local_device()
    if device.type == "cuda":
        torch.cuda.set_device(device)
    distributed.init_process_group(
        "nccl" if device.type == "cuda" else "gloo",
        store=_own_store(),
        rank=int(os.environ["RANK"]),
        world_size=int(os.environ["WORLD_SIZE"]),
    )
    if idist.get_rank() > 0:  # Ignite's first look is a collective: here, where all ranks come
        logging.getLogger("medaug").setLevel(logging.WARNING)


def _own_store() -> Any:
    """What the processes find each other by: rank 0's, on a port of this attempt.

    torchrun's own outlives a restart, and with it the addresses of the dead, which those who come
    after them take for the living (PyTorch issue 135712).
    """
    # documented, but left out of the stubs; some builds of torch have none of it
    from torch.distributed import TCPStore, rendezvous  # type: ignore[attr-defined]

    shared, rank, world = next(rendezvous("env://"))
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True":
        return shared
    host, wait = os.environ["MASTER_ADDR"], distributed.default_pg_timeout
    if rank == 0:
        store = TCPStore(host, 0, world, is_master=True, wait_for_workers=False)
        shared.set(PORT, str(store.port))
        return store
    deadline = time.monotonic() + wait.total_seconds()
    while True:
        port = int(shared.get(PORT))
        try:  # it may be an earlier attempt's, until rank 0 has come
            socket.create_connection((host, port), PATIENCE.total_seconds()).close()
            store = TCPStore(host, port, world, is_master=False, timeout=PATIENCE)
        except (OSError, RuntimeError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            store.set_timeout(wait)
            return store


def stop_distributed() -> None:
    """Leave the other processes."""
    if distributed.is_initialized():
        distributed.destroy_process_group()


def own_slice(values: Tensor) -> Tensor:
    """This rank's part of what belongs to the global batch: (world · n, …) to (n, …)."""
    n = len(values) // idist.get_world_size()
    return values[idist.get_rank() * n : (idist.get_rank() + 1) * n]


def mean_over_ranks(values: Tensor) -> Tensor:
    """The mean of each value over all ranks."""
    if idist.get_world_size() == 1:
        return values
    values = values.clone()
    distributed.all_reduce(values)
    return values / idist.get_world_size()


def any_rank(flag: bool, device: torch.device) -> bool:
    """Whether the flag is set on at least one rank."""
    if idist.get_world_size() == 1:
        return flag
    number = torch.tensor([int(flag)], device=device)
    distributed.all_reduce(number)
    return bool(number.item())


def on_first_rank(make: Callable[[], Result]) -> Result:
    """What `make` gives on rank 0, where alone it is called, on every rank; the others wait.

    Raises:
        UserError: `make` raised it. The other ranks end without a word, so that it is told once.
    """
    if idist.get_world_size() == 1:
        return make()
    box: list[Any] = [None, False]
    mistake = None
    if idist.get_rank() == 0:
        try:
            box[0] = make()
        except UserError as error:
            mistake, box[1] = error, True
    distributed.broadcast_object_list(box, src=0)
    if mistake is not None:
        raise mistake
    if box[1]:
        raise SystemExit(1)
    result: Result = box[0]
    return result


@torch.no_grad()
def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace each gradient by its mean over ranks, all of them in one message."""
    if idist.get_world_size() == 1:
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    mean = mean_over_ranks(torch.cat([gradient.flatten() for gradient in gradients]))
    parts = mean.split([gradient.numel() for gradient in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))


@torch.no_grad()
def share_weights(network: nn.Module, device: torch.device) -> nn.Module:
    """Give every rank the weights of rank 0, and batch norm the whole batch where it can (CUDA)."""
    if idist.get_world_size() == 1:
        return network
    for value in (*network.parameters(), *network.buffers()):
        distributed.broadcast(value.data, src=0)
    if device.type == "cuda":
        network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
    return network
