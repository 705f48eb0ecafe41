"""`emotion export`: write the networks for programs that run them without this one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli import options
from cli.terminal import print_progress, print_written
from core import ExportFormat

FormatOption = Annotated[
    ExportFormat,
    typer.Option("--format", help="onnx also runs in browsers and on phones."),
]
FolderOption = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="Folder for the files; made if missing.")
]
FacesOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR_OR_ZIP",
        help="Faces in folders on which the answers are compared.  [default: generated ones]",
    ),
]
WholeOption = Annotated[
    bool,
    typer.Option("--whole", help="Also write the networks that find, align and check the faces."),
]
ExportedOption = Annotated[
    options.TrainedOrAll,
    typer.Option("--model", help="Network to export; all means every trained one."),
]

_DEFAULT = options.TrainedOrAll(options.DEFAULT_TRAINED)


def export(
    *,
    model: ExportedOption = _DEFAULT,
    output: FormatOption = ExportFormat.ONNX,
    out: FolderOption,
    data: FacesOption = None,
    whole: WholeOption = False,
    weights: options.WeightsOption = None,
    overwrite: options.OverwriteOption = False,
) -> None:
    """Write the networks for ONNX Runtime or OpenVINO.

    Each file takes aligned grey faces and gives calibrated probabilities; a JSON file beside it
    describes everything. Exit code 1 if a written network gives other answers than this program;
    its files are deleted then.
    """
    from core import export_models

    names = options.list_models(model, weights)
    faces = None
    if data is not None:
        from training.data.faces import find_any_faces, sample_faces

        faces = sample_faces(find_any_faces([data], None), 200, seed=0).images
    print_progress("Converting and comparing …")
    exported = export_models(
        names,
        output,
        out,
        faces=faces,
        whole=whole,
        weights_dir=weights,
        overwrite=overwrite,
    )
    for each in exported:
        parity = each.parity
        typer.echo(
            f"{each.name}: largest difference of a probability on {parity.faces} faces "
            f"{parity.largest_difference:.1e}, with resizing {parity.with_resizing:.1e}"
        )
        for file in each.files:
            print_written(file)
