"""Every command of docs/kubernetes.md, in its order, and those for Kubernetes of docs/key-rotation.md."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.docker.client import opens, transform, wait_until_ready
from tests.fleet.clients import Clients
from tests.kubernetes.cluster import TOP, Cluster
from tests.kubernetes.node import Node
from tests.server.harness import kid_of, wait_for

# `apply -k` goes by way of the older kinds that this API server has; `exec` goes into the pod without a kubelet.
_PRELUDE = """
kubectl() {
  case $1 in
    apply)
      if [[ $2 != -k ]]; then command kubectl "$@"; return; fi
      command kubectl kustomize "$3" | sed 's|^apiVersion: policy/v1$|&beta1|' | command kubectl apply -f - ;;
    exec)
      local pod=${2#pod/}
      [[ $pod != deployment/* ]] ||
        pod=$(command kubectl get pods -l app.kubernetes.io/name=guardai -o jsonpath='{.items[0].metadata.name}')
      while [[ $1 != -- ]]; do shift; done
      "$PODS/$pod" "${@:2}" ;;
    *) command kubectl "$@" ;;
  esac
}
"""


def _blocks(page: str, heading: str) -> list[str]:
    text = (TOP / "docs" / page).read_text()
    section = re.search(rf"^## {heading}\n((?:(?!^## ).*\n)*)", text, re.MULTILINE)
    assert section, heading
    found = re.findall(r"^( *)```sh\n(.*?)^ *```$", section[1], re.MULTILINE | re.DOTALL)
    assert found, heading
    return [textwrap.dedent(body) for _, body in found]


class Operator:
    """Somebody in the checkout's top folder, with kubectl and oguardai at hand."""

    def __init__(self, cluster: Cluster, node: Node) -> None:
        self.cluster, self.node = cluster, node

    def paste(self, commands: str) -> str:
        return self.cluster.output(_PRELUDE + commands, PODS=str(self.node.commands), PATH=self.node.path)

    def settle(self) -> None:
        """Wait until the pods of before are gone, which still serve for a while."""
        wait_for(lambda: len(self.node.pods) == 3, "the pods of before to be gone")


@pytest.fixture
def operator(cluster: Cluster, node: Node) -> Iterator[Operator]:
    copy = TOP / "guardai"
    assert not copy.exists(), f"{copy} is somebody's own: move it away"
    yield Operator(cluster, node)
    if copy.exists():
        for path in copy.iterdir():
            path.unlink()
        copy.rmdir()


def _sealing_kids() -> set[int]:
    return {kid_of(transform()) for _ in range(20)}


def test_every_block_of_the_page_is_run(
    operator: Operator, clients_who_see_no_error: Callable[[str], AbstractContextManager[Clients]], tmp_path: Path
) -> None:
    page = "kubernetes.md"
    (begin,) = _blocks(page, "Begin")
    adopt, remove, reload = _blocks(page, "From the single secret to a keyring")
    (update,) = _blocks(page, "Update")
    (label,) = _blocks(page, "Who may call")
    assert (TOP / "docs" / page).read_text().count("```sh\n") == 6

    assert "successfully rolled out" in operator.paste(begin)
    wait_until_ready()
    old = transform()
    with clients_who_see_no_error("from the single secret to a keyring, a rotation and an update"):
        operator.paste(adopt)
        operator.settle()
        operator.paste(remove)
        operator.settle()
        assert opens(old), "no session is lost"

        rotate, check, *_ = _blocks("key-rotation.md", "In Kubernetes")
        operator.paste(rotate.replace("10m", "5s"))
        operator.settle()
        assert "ACTIVE" in operator.paste(check)
        wait_for(lambda: _sealing_kids() == {1}, "the new key to seal")
        assert "reloaded" in operator.paste(reload)
        operator.paste(update)
        assert opens(old)
    operator.paste(label)


def test_an_exposed_key_is_revoked_in_all_pods(operator: Operator) -> None:
    (begin,) = _blocks("kubernetes.md", "Begin")
    adopt, remove, _ = _blocks("kubernetes.md", "From the single secret to a keyring")
    rotate, _, rollback, safe, take_out, revoke = _blocks("key-rotation.md", "In Kubernetes")
    _, _, _, create, restart, wait = rotate.splitlines()
    apply = f"{create}\n{restart}\n{wait}"
    operator.paste(begin + adopt + remove)
    operator.paste(rotate.replace("--activate-in 10m ", ""))  # nobody has sessions here that would meet an older pod
    operator.settle()
    assert _sealing_kids() == {1}
    sealed = transform()
    operator.paste(f"{rollback}\n{apply}")
    operator.settle()
    assert _sealing_kids() == {0}, "the way back"
    assert opens(sealed)
    operator.paste(f"{rollback}\n{apply}")
    operator.settle()
    assert _sealing_kids() == {1}, "and forward again"
    assert set(operator.paste(safe).split()) == {"false"}, "sessions of the old key have not expired"
    operator.paste(f"{take_out}\n{apply}")
    operator.settle()
    assert opens(sealed)
    assert operator.paste(revoke).split().count('"revoked"') >= 3
    operator.settle()
    assert not opens(sealed)
    assert _sealing_kids() == {2}
