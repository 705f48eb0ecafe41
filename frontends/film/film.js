// The player of a film: a click on a timeline goes to that moment, and a line shows where it plays.
class Film {
  constructor(root) {
    this.root = root;
  }

  // Shows the answer as the server wrote it; the same one again leaves the player as it is.
  show(html) {
    if (html === this.html) return;
    this.html = html;
    this.root.innerHTML = html ?? "";
    this.video = this.root.querySelector("video");
    if (!this.video) return;
    this.seconds = Number(this.video.dataset.seconds);
    this.tracks = [...this.root.querySelectorAll(".track")];
    for (const track of this.tracks) {
      track.addEventListener("click", (event) => {
        const { left, width } = track.getBoundingClientRect();
        this.seek(((event.clientX - left) / width) * this.seconds);
      });
      track.addEventListener("keydown", (event) => this.step(track, event));
    }
    for (const name of ["timeupdate", "seeking", "seeked"]) {
      this.video.addEventListener(name, () => this.follow());
    }
    this.follow();
  }

  seek(seconds) {
    // The last frame ends with the film: a player that is sent there would begin anew.
    this.video.currentTime = Math.min(Math.max(0, seconds), Math.max(0, this.seconds - 0.01));
    this.follow();
  }

  step(track, event) {
    const starts = [...track.querySelectorAll("i")].map((band) => Number(band.dataset.start));
    const now = this.video.currentTime;
    const targets = {
      ArrowRight: starts.find((start) => start > now + 0.01),
      ArrowLeft: starts.findLast((start) => start < now - 0.01),
      Home: 0,
      End: this.seconds,
    };
    if (!(event.key in targets)) return;
    event.preventDefault();
    if (targets[event.key] !== undefined) this.seek(targets[event.key]);
  }

  follow() {
    const now = this.video.currentTime;
    for (const track of this.tracks) {
      const bands = [...track.querySelectorAll("i")];
      const band = bands.find(({ dataset }) => dataset.start <= now + 0.001 && now < dataset.end);
      track.querySelector("b").style.left = `${(100 * now) / this.seconds}%`;
      track.setAttribute("aria-valuenow", now.toFixed(1));
      track.setAttribute("aria-valuetext", `${now.toFixed(1)} s: ${band?.dataset.word ?? "not seen"}`);
    }
  }
}
