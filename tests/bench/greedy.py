"""One person's approval and smallest read, while 48 others ask for one heavy route as fast as they can."""

import http.client
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from tallystick.client.bearer import bearer_token
from tallystick.crypto.envelope import envelope_bytes
from tallystick.domain.ids import Digest, PersonId, sha256_digest
from tallystick.domain.kinds import WithdrawalReason
from tallystick.domain.statements.acts import Withdrawal
from tallystick.site import Site
from tallystick.store.blobs.chunks import ChunkHashing, record_chunks
from tallystick.store.blobs.folder import FileBlobStore
from tallystick.store.blobs.measured import measure
from tallystick.store.blobs.replicas import ReplicatedBlobs
from tallystick.store.blobs.uploads import BlobPurpose, StoredBlob, record_blob
from tallystick.store.database.session import open_database, transaction
from tallystick.store.ledger import ledger
from tallystick.store.registers import claims
from tests.bench.greedy_callers import CALLERS, Errand
from tests.bench.measuring import Seconds, percentile
from tests.bench.site import CLAIMS_EACH_MAX, ROOT, BenchSite
from tests.support.stories.releases import Release
from tests.support.worlds.agreements import ABE, ANA, BEA, BEN, DIRK, DORA, KIM, TOM, keys_of

CLAIMS_ON_RECORD: Final = 400
BLOB_BYTES: Final = 1 << 30
SECONDS_A_ROUTE: Final = 24.0
APPROVALS_A_ROUTE: Final = 30
ROUTES: Final = 5
APPROVAL_SECONDS_MAX: Final = 1.0
READ_SECONDS_MAX: Final = 0.25
APPROVERS: Final = (ANA, KIM, TOM)
GREEDY: Final = (BEA, BEN, DORA, DIRK, ABE)
_MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What one person waited for, in seconds, while the others asked for `route`."""

    route: str
    approvals: Seconds
    reads: Seconds

    @property
    def holds(self) -> bool:
        """Whether both targets are met."""
        slowest, usual = percentile(self.approvals, 0.99), statistics.median(self.reads)
        return slowest <= APPROVAL_SECONDS_MAX and usual <= READ_SECONDS_MAX


def measure_greedy(site: BenchSite, tell: Callable[[str], None]) -> list[Beside]:
    """Return what an approver waited for beside each heavy route."""
    needed = -(-APPROVALS_A_ROUTE * ROUTES // (CLAIMS_EACH_MAX * len(APPROVERS)))
    agreements = site.agreements([f"greedy-{place}" for place in range(needed)])
    under = agreements[0]
    waiting = site.open_claims(agreements, CLAIMS_EACH_MAX)
    for claim in waiting:
        claim.until("its window is open", lambda claim=claim: claim.state() == "WINDOW")  # type: ignore[misc]
    blob = _with_much_on_record(site, under)
    tell(f"{CLAIMS_ON_RECORD} more claims and a blob of {BLOB_BYTES >> 20} MiB are on record")
    acts = _approvals(waiting)
    found = list[Beside]()
    for route, errand in _errands(site, under, blob):
        with _callers(errand):
            found.append(_beside(site, route, acts))
        tell(f"measured beside {CALLERS} callers of {route}")
    return found


def table(found: Sequence[Beside]) -> Iterator[str]:
    """Yield the section of the report."""
    yield "## Beside greedy callers\n"
    yield (
        f"{CALLERS} callers ask for one route as fast as they are answered, on a site with\n"
        f"{CLAIMS_ON_RECORD} claims and a blob of {BLOB_BYTES >> 30} GiB. Another person\n"
        "approves, and reads a claim's deadlines.\n"
        f"Target: an approval is acknowledged in ≤ {APPROVAL_SECONDS_MAX:g} s (p99), a read in "
        f"≤ {READ_SECONDS_MAX * 1000:.0f} ms (median).\n"
    )
    yield "| route | approval, median | approval, p99 | read, median | target |"
    yield "|---|---|---|---|---|"
    for one in found:
        figures = (
            statistics.median(one.approvals),
            percentile(one.approvals, 0.99),
            statistics.median(one.reads),
        )
        told = " | ".join(f"{seconds * 1000:.0f} ms" for seconds in figures)
        held = "met" if one.holds else "missed"
        yield f"| {one.route} ({len(one.approvals)} approvals) | {told} | {held} |"
    yield ""


def _with_much_on_record(site: BenchSite, under: Release) -> Digest:
    """Put claims, each withdrawn, and a large blob on record, as the product's functions do."""
    database = open_database(site.settings.database_url)
    at = datetime.now(UTC).replace(microsecond=0)
    for _ in range(CLAIMS_ON_RECORD):
        filing = under.filing()
        with transaction(database) as session:
            stored = claims.file(session, filing, at)
            gone = under.act(
                Withdrawal, BEA, claim=stored.digest, reason=WithdrawalReason.SETTLED, explanation="Settled."
            )
            ledger.append(session, under.agreement.id, gone, at, claim=stored.digest)
    hashing = ChunkHashing()
    wanted, size_bytes = measure(_content())
    _stores(site).put(wanted, size_bytes, lambda: hashing.passing(_content()))
    blob = StoredBlob(
        digest=wanted,
        size_bytes=size_bytes,
        agreement_id=under.agreement.id,
        uploaded_by=sha256_digest(b"a depositor"),
        party="nordwind",
        arrived_at=at,
        purpose=BlobPurpose.EVIDENCE,  # which the agreement's readers may fetch
    )
    with transaction(database) as session:
        record_blob(session, blob)
        record_chunks(session, wanted, hashing.hashes)
    database.dispose()
    return wanted


def _content() -> Iterator[bytes]:
    for place in range(BLOB_BYTES // _MIB):
        yield place.to_bytes(4) * (_MIB // 4)


def _stores(site: BenchSite) -> ReplicatedBlobs:
    places = site.settings.blob_locations
    return ReplicatedBlobs([FileBlobStore(place.path, name=place.url) for place in places])


def _approvals(waiting: Sequence[Release]) -> Iterator[tuple[Release, PersonId]]:
    return iter([(claim, person) for claim in waiting for person in APPROVERS])


def _errands(site: BenchSite, under: Release, blob: Digest) -> Iterator[tuple[str, Errand]]:
    where = f"agreement={under.agreement.id}"
    routes = {
        "a range of the blob": ("GET", f"/v1/blobs/{blob}", "bytes=1000-1999"),
        "a claim's evidence": ("GET", f"/v1/claims/{under.claim}/evidence", ""),
        "a page of the claims": ("GET", "/v1/claims", ""),
        "a claim's events": ("GET", f"/v1/claims/{under.claim}/events", ""),
        "parts of uploads": (
            "PUT",
            f"/v1/blobs/{{random}}?{where}&purpose=evidence",
            "",
        ),
    }
    deployment = Site(root=site.settings.data_dir).deployment().id
    for route, (method, path, byte_range) in routes.items():
        at = datetime.now(UTC)
        readers = under.agreement.evidence_readers
        callers = [person for person in GREEDY if not byte_range or person in readers]
        tokens = [bearer_token(keys_of(person), deployment=deployment, at=at) for person in callers]
        yield (
            route,
            Errand(
                address=site.api.removeprefix("http://"),
                method=method,
                path=path,
                byte_range=byte_range,
                tokens=tokens,
            ),
        )


@contextmanager
def _callers(errand: Errand) -> Generator[None]:
    command = ["nice", "-n", "19", sys.executable, "-m", "tests.bench.greedy_callers"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as callers:
        try:
            assert callers.stdin is not None
            assert callers.stdout is not None
            callers.stdin.write(errand.written() + "\n")
            callers.stdin.flush()
            assert callers.stdout.readline() == "ready\n", "the callers did not begin"
            yield
        finally:
            callers.kill()


def _beside(site: BenchSite, route: str, acts: Iterator[tuple[Release, PersonId]]) -> Beside:
    """Approve and read in turn, over a connection of one's own, as long as a route has."""
    approvals, reads = list[float](), list[float]()
    address = site.api.removeprefix("http://")
    deployment = Site(root=site.settings.data_dir).deployment().id
    give_up = time.monotonic() + SECONDS_A_ROUTE
    for claim, person in acts:
        token = bearer_token(keys_of(person), deployment=deployment, at=datetime.now(UTC))
        signed_in = {"Authorization": f"Bearer {token}"}
        body = envelope_bytes(claim.approval(person))
        sent = {**signed_in, "Content-Type": "application/json"}
        approvals.append(_took(address, "POST", f"/v1/claims/{claim.claim}/approvals", sent, body))
        for _ in range(3):
            reads.append(_took(address, "GET", f"/v1/claims/{claim.claim}/deadlines", signed_in))
        if time.monotonic() > give_up or len(approvals) >= APPROVALS_A_ROUTE:
            break
    return Beside(route=route, approvals=approvals, reads=reads)


def _took(
    address: str, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
) -> float:
    """Return the seconds from the first byte sent, over a new connection, to the whole answer."""
    connection = http.client.HTTPConnection(address, timeout=60)
    begun = time.perf_counter()
    connection.request(method, path, body, dict(headers))
    answer = connection.getresponse()
    said = answer.read()
    took = time.perf_counter() - begun
    connection.close()
    assert answer.status in {HTTPStatus.OK, HTTPStatus.CREATED}, said
    return took
