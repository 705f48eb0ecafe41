// Shows each frame of the camera together with its answer, a moment late, so that the boxes are
// where the faces are. Frames are sent in groups over a connection of their own, because a group
// takes less time than its frames one by one: the frames taken while a group is answered form the
// next group.
const LONGEST_PX = 640; // of a frame as it is sent
const SHOWN_PX = 960; // of a frame as it is shown
const MAX_FRAMES = 12; // in a group; the server has the same limit
const FASTEST_MS = 1000 / 31; // between two frames: enough for every frame of an ordinary camera
const GROUP_MS = 100; // a group covers at least this long
const CATCH_UP = 0.1; // share of a past delay that each group makes up for
const PACE_MS = 3000; // the rate is averaged over this long
const PATIENCE_MS = 15000; // then a group counts as lost

// One clock for the page and its worker, in milliseconds.
const clock = () => performance.timeOrigin + performance.now();

// Runs in a worker, so that it does not block the page: makes each frame a small JPEG.
const work = () => {
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  let least = 0;
  let last = -Infinity; // when the previous frame was taken, by the camera's clock
  let at = 0;
  let between = Infinity; // from the camera's clock to the page's
  onmessage = async ({ data }) => {
    least = data.least;
    if (!data.frames) return;
    const reader = data.frames.getReader();
    for (;;) {
      const { value: frame, done } = await reader.read();
      if (done) return;
      // Frames may arrive late and in bursts, but they were taken evenly.
      const taken = frame.timestamp / 1000;
      between = Math.min(between, performance.timeOrigin + performance.now() - taken);
      if (taken - last > 0.9 * least) {
        last = taken;
        at = Math.max(at, taken + between);
        const scale = Math.min(1, data.longest / Math.max(frame.displayWidth, frame.displayHeight));
        canvas.width = Math.round(frame.displayWidth * scale);
        canvas.height = Math.round(frame.displayHeight * scale);
        context.drawImage(frame, 0, 0, canvas.width, canvas.height);
        const width = Math.min(frame.displayWidth, Math.round((canvas.width * data.shown) / data.longest));
        const picture = await createImageBitmap(frame, { resizeWidth: width });
        frame.close();
        const file = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.85 });
        postMessage({ at, jpeg: new FileReaderSync().readAsDataURL(file), picture }, [picture]);
      } else {
        frame.close();
      }
    }
  };
};

const REFUSALS = {
  NotAllowedError:
    "The browser does not let this page use the camera. Allow it with the camera icon beside the address, then press Start the camera.",
  NotFoundError: "No camera was found. Connect one, then press Start the camera.",
  NotReadableError:
    "Another program is using the camera. Close that program, then press Start the camera.",
};
const LOST =
  "The connection to the computer that runs this page was lost. Reload the page, then press Start the camera.";
const NOT_KEPT =
  "The connection was lost before the timeline arrived, so the answers of this session are gone.";
const INSECURE =
  "Browsers open the camera only for pages on this computer (localhost) or over https. Open the page that way.";

class Live {
  constructor(root) {
    this.root = root;
    this.video = root.querySelector("video");
    this.stage = root.querySelector(".stage");
    this.frames = root.querySelector(".frames");
    this.shown = root.querySelector(".shown");
    this.button = root.querySelector(".start");
    this.snapshot = root.querySelector(".snapshot");
    this.keep = root.querySelector(".keep input");
    this.canvas = document.createElement("canvas");
    this.context = this.canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    this.sent = 0;
    this.waiting = false;
    this.taken = [];
    this.inFlight = []; // the pictures of the group that is being answered
    this.toDraw = new Map(); // the pictures that wait for their moment, by timer
    this.drawn = [];
    this.button.addEventListener("click", () => (this.stream ? this.stop() : this.start()));
    this.snapshot.addEventListener("click", () => this.saveSnapshot());
    this.keep.addEventListener("change", () => this.keep.checked || this.finishSession());
    new ResizeObserver(() => this.place()).observe(this.video);
    // If another page or tab is shown, turn the camera off.
    this.watch = setInterval(() => {
      if (this.stream && !root.checkVisibility()) this.stop();
      if (!root.isConnected) clearInterval(this.watch);
    }, 500);
  }

  // `path` is the address of this page's connection; without it the camera cannot start.
  reach(path) {
    this.path = path;
    if (path && !this.starting) this.button.disabled = false;
  }

  async start() {
    this.showProblem("");
    this.run = `${Math.random()}`;
    if (!navigator.mediaDevices?.getUserMedia) return this.showProblem(INSECURE);
    this.starting = true;
    this.button.disabled = true;
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({
        video: { width: { ideal: 1280 }, height: { ideal: 720 }, facingMode: "user" },
        audio: false,
      });
    } catch (error) {
      const other = `The camera does not work (${error.message}). Reload the page or choose another camera.`;
      return this.showProblem(REFUSALS[error.name] ?? other);
    } finally {
      this.starting = false;
      this.button.disabled = false;
    }
    this.stream.getVideoTracks()[0].addEventListener("ended", () => {
      this.stop();
      this.showProblem("The camera was disconnected. Connect it, then press Start the camera.");
    });
    this.video.srcObject = this.stream;
    await this.video.play();
    this.stage.hidden = false;
    this.button.textContent = "Stop the camera";
    this.waiting = false;
    this.drawn = [];
    this.least = FASTEST_MS;
    this.late = 0;
    this.due = 0;
    this.place();
    this.connect(this.stream);
    this.takeFrames(this.stream);
  }

  connect(stream) {
    const address = new URL(this.path, location.href.replace(/^http/, "ws"));
    const socket = new WebSocket(address);
    this.socket = socket;
    socket.onopen = () => this.next();
    socket.onmessage = ({ data }) => {
      const reply = JSON.parse(data);
      if (reply.number === null && this.finishing === socket) this.endSession(reply, socket);
      else if (this.stream === stream) this.answer(reply);
    };
    socket.onclose = () => {
      if (this.finishing === socket) {
        this.finishing = null;
        this.showStatus("");
        this.showProblem(NOT_KEPT);
      }
      if (this.stream !== stream) return;
      this.stop();
      this.showProblem(LOST);
    };
  }

  stop() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.worker?.terminate();
    this.worker = null;
    this.finishSession();
    if (this.finishing !== this.socket) this.socket?.close();
    this.forget();
    this.video.srcObject = null;
    this.stage.hidden = true;
    this.snapshot.hidden = true;
    this.shown.hidden = true;
    this.button.textContent = "Start the camera";
    this.root.querySelector(".pace").textContent = "";
    this.draw([]);
  }

  // Asks for the timeline of what was kept; it comes after the answers to the frames before it.
  finishSession() {
    if (!this.kept || this.socket?.readyState !== WebSocket.OPEN) return;
    this.kept = false;
    this.finishing = this.socket;
    this.showStatus("Preparing the timeline…");
    this.socket.send(JSON.stringify({ run: this.run, finish: true }));
  }

  endSession(reply, socket) {
    this.finishing = null;
    this.showStatus("");
    if (reply.problem) this.showProblem(reply.problem);
    this.showSession(reply.session);
    if (!this.stream || this.socket !== socket) socket.close();
  }

  showSession(html) {
    if (html !== undefined) this.root.querySelector(".film").innerHTML = html;
  }

  showStatus(text) {
    const status = this.root.querySelector(".status");
    status.textContent = text;
    status.hidden = !text;
  }

  showProblem(text) {
    const problem = this.root.querySelector(".problem");
    problem.textContent = text;
    problem.hidden = !text;
  }

  takeFrames(stream) {
    if (!window.MediaStreamTrackProcessor) return this.watchFrames(stream);
    const [track] = stream.getVideoTracks();
    const { readable } = new MediaStreamTrackProcessor({ track, maxBufferSize: 2 });
    const code = URL.createObjectURL(new Blob([`(${work})()`], { type: "text/javascript" }));
    this.worker = new Worker(code);
    URL.revokeObjectURL(code);
    this.worker.onmessage = ({ data }) => this.took(data);
    // Some hosts forbid workers of this kind.
    this.worker.onerror = () => this.watchFrames(stream);
    const request = { frames: readable, longest: LONGEST_PX, shown: SHOWN_PX, least: this.least };
    this.worker.postMessage(request, [readable]);
  }

  // Does the same in the page, for browsers that give a worker no frames.
  async watchFrames(stream) {
    if (this.stream !== stream) return;
    const { videoWidth: width, videoHeight: height } = this.video;
    const at = clock();
    if (width && at - (this.last ?? 0) > 0.9 * this.least && this.taken.length < MAX_FRAMES) {
      this.last = at;
      const scale = Math.min(1, LONGEST_PX / Math.max(width, height));
      this.canvas.width = Math.round(width * scale);
      this.canvas.height = Math.round(height * scale);
      this.context.drawImage(this.video, 0, 0, this.canvas.width, this.canvas.height);
      const jpeg = this.canvas.toDataURL("image/jpeg", 0.85);
      const shown = Math.min(width, Math.round((this.canvas.width * SHOWN_PX) / LONGEST_PX));
      this.took({ at, jpeg, picture: await createImageBitmap(this.video, { resizeWidth: shown }) });
    }
    const again = () => this.watchFrames(stream);
    if (this.video.requestVideoFrameCallback) this.video.requestVideoFrameCallback(again);
    else requestAnimationFrame(again);
  }

  took(frame) {
    if (!this.stream || this.taken.length >= MAX_FRAMES) return frame.picture.close();
    this.taken.push(frame);
    this.next();
  }

  next() {
    if (!this.stream || this.waiting || !this.taken.length) return;
    if (this.socket.readyState !== WebSocket.OPEN) return;
    if (clock() - this.taken[0].at < GROUP_MS && this.taken.length < MAX_FRAMES) return;
    this.sent += 1;
    this.waiting = true;
    this.sentAt = performance.now();
    const number = this.sent;
    const frames = this.taken.map(({ at, jpeg }) => ({ at, jpeg }));
    const keep = this.keep.checked;
    if (keep && !this.kept) this.showSession("");
    this.kept ||= keep;
    this.socket.send(JSON.stringify({ number, run: this.run, keep, frames }));
    this.inFlight.forEach((picture) => picture.close()); // of a group whose answer was lost
    this.inFlight = this.taken.map(({ picture }) => picture);
    this.taken = [];
    // A lost answer must not end the stream.
    setTimeout(() => {
      if (this.waiting && this.sent === number) {
        this.waiting = false;
        this.next();
      }
    }, PATIENCE_MS);
  }

  answer(reply) {
    if (reply?.number !== this.sent || reply.run !== this.run || !this.waiting) return;
    this.waiting = false;
    if (reply.problem) {
      this.stop();
      return this.showProblem(reply.problem);
    }
    // Spread as many frames as fit into a group over the time until its answer.
    this.least = Math.max(FASTEST_MS, (performance.now() - this.sentAt) / MAX_FRAMES);
    this.worker?.postMessage({ least: this.least });
    this.drawInTime(reply);
    this.next();
  }

  // Delays all frames like the latest one of the last second or two, so that they move as evenly as
  // they were taken even if the answers arrive unevenly.
  drawInTime(reply) {
    const now = clock();
    const late = now - reply.frames[0].at;
    this.late = Math.max(late, CATCH_UP * late + (1 - CATCH_UP) * this.late);
    const pictures = this.inFlight;
    this.inFlight = [];
    reply.frames.forEach((frame, place) => {
      this.due = Math.max(this.due, frame.at + this.late);
      const timer = setTimeout(() => {
        this.toDraw.delete(timer);
        this.showPicture(pictures[place]);
        this.draw(frame.faces);
        this.showPace(frame.at, reply.ms);
      }, this.due - now);
      this.toDraw.set(timer, pictures[place]);
    });
  }

  forget() {
    this.toDraw.forEach((picture, timer) => {
      clearTimeout(timer);
      picture.close();
    });
    this.toDraw.clear();
    [...this.inFlight, ...this.taken.map(({ picture }) => picture)].forEach((each) => each.close());
    this.inFlight = [];
    this.taken = [];
  }

  showPicture(picture) {
    if (this.shown.width !== picture.width || this.shown.height !== picture.height) {
      this.shown.width = picture.width;
      this.shown.height = picture.height;
    }
    this.shown.getContext("2d", { alpha: false }).drawImage(picture, 0, 0);
    picture.close();
    this.shown.hidden = false;
    this.snapshot.hidden = false;
  }

  // Saves what is shown: the mirrored picture with its boxes and labels.
  saveSnapshot() {
    const { width, height } = this.shown;
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d", { alpha: false });
    context.scale(-1, 1);
    context.drawImage(this.shown, -width, 0);
    context.setTransform(1, 0, 0, 1, 0, 0);
    const letters = Math.max(14, Math.round(width / 48));
    context.font = `600 ${letters}px system-ui, sans-serif`;
    context.textBaseline = "middle";
    for (const { box, label, certain, colour, ink } of this.faces) {
      const [x, y] = [(1 - box[2]) * width, box[1] * height];
      context.strokeStyle = colour;
      context.lineWidth = Math.max(2, width / 300);
      context.setLineDash(certain ? [] : [8, 6]);
      context.strokeRect(x, y, (box[2] - box[0]) * width, (box[3] - box[1]) * height);
      const wide = context.measureText(label).width + letters;
      const left = Math.max(0, Math.min(x, width - wide));
      const top = Math.max(0, y - 1.6 * letters);
      context.fillStyle = colour;
      context.fillRect(left, top, wide, 1.6 * letters);
      context.fillStyle = ink;
      context.fillText(label, left + letters / 2, top + 0.8 * letters);
    }
    canvas.toBlob(
      (file) => {
        const link = document.createElement("a");
        link.href = URL.createObjectURL(file);
        link.download = `live-${new Date().toISOString().slice(0, 19).replace(/:/g, "-")}.jpg`;
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 1000);
      },
      "image/jpeg",
      0.92,
    );
  }

  showPace(at, milliseconds) {
    const now = performance.now();
    this.drawn = [...this.drawn.filter((each) => now - each < PACE_MS), now];
    const rate = (1000 * (this.drawn.length - 1)) / (now - this.drawn[0]);
    if (!(rate > 0) || now - (this.shownAt ?? 0) < 500) return;
    this.shownAt = now;
    this.root.querySelector(".pace").textContent =
      `${rate.toFixed(1)} answers a second, ${Math.round(milliseconds)} ms each, ` +
      `shown ${((clock() - at) / 1000).toFixed(1)} s late`;
  }

  draw(faces) {
    this.faces = faces;
    // The first child is the picture.
    while (this.frames.children.length > faces.length + 1) this.frames.lastChild.remove();
    while (this.frames.children.length < faces.length + 1) {
      const frame = document.createElement("div");
      frame.append(document.createElement("span"));
      this.frames.append(frame);
    }
    faces.forEach((face, place) => {
      const frame = this.frames.children[place + 1];
      const [x1, y1, x2, y2] = face.box;
      frame.className = `frame${face.certain ? "" : " unsure"}${y1 < 0.08 ? " low" : ""}`;
      // The picture is mirrored, its labels are not.
      Object.assign(frame.style, {
        left: `${100 * (1 - x2)}%`,
        top: `${100 * y1}%`,
        width: `${100 * (x2 - x1)}%`,
        height: `${100 * (y2 - y1)}%`,
        borderColor: face.colour,
      });
      const label = frame.firstChild;
      if (label.textContent !== face.label) label.textContent = face.label;
      label.style.background = face.colour;
      label.style.color = face.ink;
    });
    this.listFaces(faces.map((face) => face.sentence));
  }

  listFaces(lines) {
    const list = this.root.querySelector(".seen-faces");
    if (lines.join("\n") === this.lines) return;
    this.lines = lines.join("\n");
    list.replaceChildren(
      ...lines.map((text) => {
        const line = document.createElement("li");
        line.textContent = text;
        return line;
      }),
    );
  }

  // Puts the frames over the picture itself, not over the bars beside it.
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
