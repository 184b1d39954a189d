"""Make the history of ImageNet's contest: a table compiled by hand from the sources that it names."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from sources import main

HEAD = ("year", "name", "team", "role", "layers", "top5_error", "source")
CONTEST = "results page of the contest"
SURVEY = "Russakovsky et al. 2015, arXiv:1409.0575"
ENTRIES = (  # as in HEAD; layers are those with weights (empty: no network, or several), the error is in %
    (2010, "SIFT and LBP features, SVM", "NEC-UIUC", "winner", "", 28.2, SURVEY),
    (2011, "Fisher vectors, SVM", "XRCE", "winner", "", 25.8, SURVEY),
    (2012, "AlexNet, 7 networks", "SuperVision", "winner", 8, 15.3, "Krizhevsky et al. 2012, table 2"),
    (2012, "AlexNet, 5 networks", "SuperVision", "without extra data", 8, 16.4, "Krizhevsky et al. 2012, table 2"),
    (2012, "SIFT and Fisher vectors", "ISI", "second", "", 26.2, "Krizhevsky et al. 2012, table 2"),
    (2013, "deep networks, averaged", "Clarifai", "winner", 8, 11.2, SURVEY),
    (2013, "deep networks, averaged", "Clarifai", "without extra data", 8, 11.7, SURVEY),
    (2014, "GoogLeNet, 7 networks", "Google", "winner", 22, 6.7, "Szegedy et al. 2014, arXiv:1409.4842"),
    (2014, "VGG, 7 networks", "Oxford VGG", "second", 19, 7.3, "Simonyan and Zisserman 2014, arXiv:1409.1556"),
    (2014, "a trained person", "1,500 pictures", "human", "", 5.1, SURVEY),
    (2014, "a second person", "258 pictures", "human", "", 12.0, SURVEY),
    (2015, "ResNet, 6 networks", "Microsoft Research", "winner", 152, 3.57, "He et al. 2015, arXiv:1512.03385"),
    (2016, "several kinds of networks", "Trimps-Soushen", "winner", "", 2.99, CONTEST),
    (2017, "SENet, several networks", "WMW", "winner", 154, 2.25, "Hu et al. 2018, arXiv:1709.01507"),
)
LICENCE = """\
The file history.csv holds facts that others published: who took part, how deep the network was, which error was
measured. To the extent that its selection and arrangement can be protected, the authors of this course dedicate it to
the public domain under CC0 1.0 Universal: https://creativecommons.org/publicdomain/zero/1.0/
"""


def make(folder: Path) -> None:
    """Write the table and the licence."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(HEAD)
    writer.writerows(ENTRIES)
    (folder / "history.csv").write_text(stream.getvalue(), encoding="utf-8")
    (folder / "LICENSE.txt").write_text(LICENCE, encoding="utf-8")


if __name__ == "__main__":
    main(make)
