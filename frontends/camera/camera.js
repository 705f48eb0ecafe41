// Shows the camera at its own pace, sends a frame when the last one was answered, and draws the
// newest answer over the picture. Frames that come while one is being answered are never sent.
const LONGEST_PX = 640;
const PATIENCE_MS = 15000;

const REFUSALS = {
  NotAllowedError:
    "The browser does not let this page use the camera. Allow it with the camera sign beside the address, then press Start again.",
  NotFoundError: "No camera was found. Connect one, then press Start again.",
  NotReadableError:
    "The camera is used by another program. Close that program, then press Start again.",
};
const INSECURE =
  "Browsers open the camera only for pages on this computer (localhost) or over https. Open the page that way.";

class Live {
  constructor(root) {
    this.root = root;
    this.video = root.querySelector("video");
    this.stage = root.querySelector(".stage");
    this.frames = root.querySelector(".frames");
    this.button = root.querySelector("button");
    this.canvas = document.createElement("canvas");
    this.sent = 0;
    this.waiting = false;
    this.button.addEventListener("click", () => (this.stream ? this.stop() : this.start()));
    new ResizeObserver(() => this.place()).observe(this.video);
    // Another page or tab is shown: the camera's light goes out.
    this.watch = setInterval(() => {
      if (this.stream && !root.checkVisibility()) this.stop();
      if (!root.isConnected) clearInterval(this.watch);
    }, 500);
  }

  async start() {
    this.tell("");
    if (!navigator.mediaDevices?.getUserMedia) return this.tell(INSECURE);
    this.button.disabled = true;
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({
        video: { width: { ideal: 1280 }, height: { ideal: 720 }, facingMode: "user" },
        audio: false,
      });
    } catch (error) {
      const other = `The camera cannot be used (${error.message}). Reload the page or choose another camera.`;
      return this.tell(REFUSALS[error.name] ?? other);
    } finally {
      this.button.disabled = false;
    }
    this.stream.getVideoTracks()[0].addEventListener("ended", () => {
      this.stop();
      this.tell("The camera was taken away. Connect it, then press Start again.");
    });
    this.video.srcObject = this.stream;
    await this.video.play();
    this.stage.hidden = false;
    this.button.textContent = "Stop the camera";
    this.pace = null;
    this.waiting = false;
    this.place();
    this.next();
  }

  stop() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.video.srcObject = null;
    this.stage.hidden = true;
    this.button.textContent = "Start the camera";
    this.root.querySelector(".pace").textContent = "";
    this.draw([]);
  }

  tell(text) {
    const problem = this.root.querySelector(".problem");
    problem.textContent = text;
    problem.hidden = !text;
  }

  next() {
    if (!this.stream || this.waiting) return;
    const { videoWidth: width, videoHeight: height } = this.video;
    if (!width) return void setTimeout(() => this.next(), 50);
    const scale = Math.min(1, LONGEST_PX / Math.max(width, height));
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    this.canvas.getContext("2d").drawImage(this.video, 0, 0, this.canvas.width, this.canvas.height);
    this.sent += 1;
    this.waiting = true;
    const number = this.sent;
    this.send({ number, run: this.run, jpeg: this.canvas.toDataURL("image/jpeg", 0.85) });
    // An answer that was lost must not end the stream.
    setTimeout(() => {
      if (this.waiting && this.sent === number) {
        this.waiting = false;
        this.next();
      }
    }, PATIENCE_MS);
  }

  take(answer) {
    if (!this.stream || answer?.number !== this.sent || answer.run !== this.run || !this.waiting) {
      return;
    }
    this.waiting = false;
    if (answer.problem) {
      this.stop();
      return this.tell(answer.problem);
    }
    this.draw(answer.faces);
    const now = performance.now();
    if (this.pace) {
      const rate = 1000 / (now - this.pace.at);
      const before = this.pace.rate ?? rate;
      this.pace = { at: now, rate: before + 0.2 * (rate - before) };
      this.root.querySelector(".pace").textContent =
        `${this.pace.rate.toFixed(1)} answers a second, ${Math.round(answer.ms)} ms each`;
    } else {
      this.pace = { at: now };
    }
    requestAnimationFrame(() => this.next());
  }

  draw(faces) {
    this.frames.replaceChildren(
      ...faces.map((face) => {
        const frame = document.createElement("div");
        const [x1, y1, x2, y2] = face.box;
        frame.className = `frame${face.certain ? "" : " unsure"}${y1 < 0.08 ? " low" : ""}`;
        // The picture is mirrored, its words are not.
        Object.assign(frame.style, {
          left: `${100 * (1 - x2)}%`,
          top: `${100 * y1}%`,
          width: `${100 * (x2 - x1)}%`,
          height: `${100 * (y2 - y1)}%`,
          borderColor: face.colour,
        });
        const label = document.createElement("span");
        label.textContent = face.label;
        label.style.background = face.colour;
        label.style.color = face.ink;
        frame.append(label);
        return frame;
      }),
    );
    this.root.querySelector(".told").replaceChildren(
      ...faces.map((face) => {
        const line = document.createElement("li");
        line.textContent = `Face ${face.label}`;
        return line;
      }),
    );
  }

  // The frames lie over the picture itself, not over the bars beside it.
  place() {
    const { videoWidth, videoHeight, clientWidth, clientHeight } = this.video;
    if (!videoWidth) return;
    const scale = Math.min(clientWidth / videoWidth, clientHeight / videoHeight);
    const [width, height] = [videoWidth * scale, videoHeight * scale];
    Object.assign(this.frames.style, {
      width: `${width}px`,
      height: `${height}px`,
      left: `${(clientWidth - width) / 2}px`,
      top: `${(clientHeight - height) / 2}px`,
    });
  }
}
