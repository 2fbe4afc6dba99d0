"""Run on one core: microseconds of CPU that it takes to price a CDR, with less and less of what comes before.

python tests/bench/pricing_run.py < FILES         our engine
python tests/bench/pricing_run.py peer < FILES    the public Python engine ocpi-tariffs-py, where it is installed

FILES is a JSON list of paths, each of one CDR. Prints for each [from JSON, from the document, from what is made of the
document first, total without VAT]. Both engines are asked for the total, without and with VAT, which is all that the
public one gives.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_ROUNDS = 15
_WORK = 2000  # periods priced in a round
_Engine = tuple[Callable[[bytes], Any], Callable[[Any], Any], Callable[[Any], Any]]


def _ours() -> _Engine:
    from ocpi.pricing.case import Case, open_case
    from ocpi.types import codec

    def price(case: Case) -> Any:
        return Case(case.usage, case.offer, case.place).total.excl

    return codec.decode, open_case, price


def _peers() -> _Engine:
    from ocpi_tariffs.v2_2_1.models import Cdr  # type: ignore[import-not-found]
    from ocpi_tariffs.v2_2_1.tariff_calculator import calculate_cdr_cost  # type: ignore[import-not-found]

    return json.loads, lambda document: Cdr(**document), lambda cdr: calculate_cdr_cost(cdr).excl_vat


def _best(function: Callable[[], Any], times: int) -> float:
    """Microseconds of CPU for one call, of the best round."""
    best = float("inf")
    for _ in range(_ROUNDS):
        started = time.process_time()
        for _ in range(times):
            function()
        best = min(best, (time.process_time() - started) / times)
    return best * 1e6


def _measured(text: bytes, engine: _Engine) -> list[Any]:
    decode, prepare, price = engine
    document = decode(text)
    prepared = prepare(document)
    times = max(5, _WORK // text.count(b"dimensions"))
    return [
        _best(lambda: price(prepare(decode(text))), times),
        _best(lambda: price(prepare(document)), times),
        _best(lambda: price(prepared), times),
        str(price(prepared)),
    ]


def main() -> None:
    engine = _peers() if sys.argv[1:] == ["peer"] else _ours()
    print(json.dumps([_measured(Path(path).read_bytes(), engine) for path in json.load(sys.stdin)]))


if __name__ == "__main__":
    main()
