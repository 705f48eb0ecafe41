// Ways to the photos: a link over the settings, pasting a picture, dropping a folder.
const UPLOADER = '[data-testid="stFileUploader"]';
const NOTICE_MS = 8000;

const findInput = () => document.querySelector(`${UPLOADER} input[type=file]`);

// Without it, the keyboard has to pass all settings before it reaches the photos.
const addSkipLink = () => {
  if (document.querySelector(".skip-link")) return;
  const link = document.createElement("a");
  link.className = "skip-link";
  link.href = "#photos";
  link.textContent = "Skip to the content";
  link.addEventListener("click", (event) => {
    event.preventDefault();
    const main = document.querySelector('[data-testid="stMain"]');
    const target = document.querySelector(`${UPLOADER} button`) ?? main.querySelector("h1") ?? main;
    if (!target.matches("button")) target.tabIndex = -1;
    target.focus();
  });
  document.body.prepend(link);
};

// Said by screen readers, and shown for a while.
const announce = (words) => {
  let notice = document.querySelector(".photo-notice");
  if (!notice) {
    notice = document.createElement("div");
    notice.className = "photo-notice";
    notice.setAttribute("role", "status");
    document.body.append(notice);
  }
  notice.textContent = words;
  clearTimeout(window.photoNotice);
  window.photoNotice = setTimeout(() => notice.replaceChildren(), NOTICE_MS);
};

const paste = (event) => {
  const pictures = [...(event.clipboardData?.files ?? [])];
  const input = findInput();
  if (!pictures.length || !input) return;
  event.preventDefault();
  const given = new DataTransfer();
  pictures.forEach((file) => given.items.add(file));
  input.files = given.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
  announce(pictures.length === 1 ? "The pasted picture is added." : "The pasted pictures are added.");
};

const announceFolder = (event) => {
  const entries = [...(event.dataTransfer?.items ?? [])].map((item) => item.webkitGetAsEntry?.());
  const folder = entries.find((entry) => entry?.isDirectory);
  if (!folder || !event.target.closest?.(UPLOADER)) return;
  announce(
    `The files in the folder “${folder.name}” are added. At most 40 photos fit; ` +
      "emotion batch reads larger folders.",
  );
};

window.photoInput?.abort();
window.photoInput = new AbortController();
const { signal } = window.photoInput;
document.addEventListener("paste", paste, { signal });
document.addEventListener("drop", announceFolder, { capture: true, signal });
addSkipLink();
