// Use a picture's caption as its alternative text, for which Streamlit gives only a number; a picture
// without a caption is decoration.
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
