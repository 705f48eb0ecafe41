"""MediaPipe's own face mesh, to compare ours with."""

from __future__ import annotations

import numpy as np


def meshes_of_mediapipe():
    """Return a function from a square picture to its meshes, (468, 3) each, in its pixels."""
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
