// Streamlit gives a picture its number as alternative text; the caption below says what it shows.
const describe = () => {
  for (const block of document.querySelectorAll('[data-testid="stImage"]')) {
    const image = block.querySelector("img");
    const caption = block.querySelector('[data-testid="stImageCaption"]');
    if (image && caption && image.alt !== caption.textContent) image.alt = caption.textContent;
  }
};
window.describedPictures?.disconnect();
window.describedPictures = new MutationObserver(describe);
window.describedPictures.observe(document.body, { childList: true, subtree: true });
describe();
