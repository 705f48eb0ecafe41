"""MediaPipe's own face mesh, for comparison: what ours must equal."""

from __future__ import annotations

import numpy as np


def meshes_of_mediapipe():
    """A function that takes a square picture and gives its faces, each (468, 3), in its pixels."""
    from mediapipe.python.solutions.face_mesh import FaceMesh

    graph = FaceMesh(
        static_image_mode=True,
        max_num_faces=2,
        refine_landmarks=False,
        min_detection_confidence=0.3,
    )

    def find_meshes(square):
        faces = graph.process(square).multi_face_landmarks or ()
        return [
            np.array([(p.x, p.y, p.z) for p in face.landmark[:468]]) * square.shape[0]
            for face in faces
        ]

    return find_meshes
