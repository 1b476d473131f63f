"""How surely countries are told on unseen domains: `python -m bench.where RADIO.json.gz IPTV_FOLDER --work FOLDER`.

Five folds by the homepage's domain (else the stream's), as `airledger learn where` scores them; the folder keeps the
text models' margins, so a second run takes minutes. Writes rows of RESULTS.md.
"""

import argparse
import time
from pathlib import Path

from bench.results import write_row

from airledger.learning.where_data import iptv_org, radio_browser
from airledger.learning.where_train import Scores, validate
from airledger.platform.geo.lookup import IpPlaces
from airledger.platform.settings import load_settings

ROWS = {"radio": "radio", "tv_US": "television of the US", "tv_DE": "television of Germany"}
BAR = "≥ 87%, ≥ 92%, ≥ 99%, ≤ 0.03"
PLAIN = "; plain n-grams 83.8%, 89.5%, 98.6%"  # of radio rows, as the issue gives them


def main() -> None:
    """Measure and write."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("radio", type=Path)
    asked.add_argument("iptv", type=Path)
    asked.add_argument("--work", type=Path)
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args()
    rows = [*radio_browser(given.radio), *iptv_org(given.iptv)]
    ip_country = IpPlaces(load_settings().geo_databases).country_of
    began = time.process_time()
    found = validate(rows, ip_country, print, seed=given.seed, work=given.work)
    print(f"{time.process_time() - began:.0f} s of CPU")
    for name, title in ROWS.items():
        limit = BAR + PLAIN if name == "radio" else BAR
        write_row(f"Country of a stream, domains not taught: {title}", _told(found.scores[name]), limit)


def _told(one: Scores) -> str:
    shares = f"top-1 {one.top1:.2%}, top-3 {one.top3:.2%}, surer half {one.sure_half:.2%}"
    return f"{shares}, calibration error {one.ece:.3f}; {one.streams:,} streams"


if __name__ == "__main__":
    main()
