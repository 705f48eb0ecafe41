// Streamlit gives a picture its number as alternative text; the caption below says what it shows,
// and one without a caption is an ornament.
const describe = () => {
  for (const block of document.querySelectorAll('[data-testid="stImage"]')) {
    const image = block.querySelector("img");
    const caption = block.querySelector('[data-testid="stImageCaption"]');
    const words = caption?.textContent ?? "";
    if (image && image.alt !== words) image.alt = words;
  }
};
window.describedPictures?.disconnect();
window.describedPictures = new MutationObserver(describe);
window.describedPictures.observe(document.body, { childList: true, subtree: true });
describe();
