// How far right the page reaches, without what lies in a part that scrolls sideways by itself.
() => {
  const main = document.querySelector('[data-testid="stMain"]');
  const scrollsByItself = (element) => {
    for (let up = element.parentElement; up !== main; up = up.parentElement) {
      if (["auto", "scroll"].includes(getComputedStyle(up).overflowX)) return true;
    }
    return false;
  };
  const all = [...main.querySelectorAll("*")].filter((each) => !scrollsByItself(each));
  return Math.max(...all.map((each) => each.getBoundingClientRect().right));
};
