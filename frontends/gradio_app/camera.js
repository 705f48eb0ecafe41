// Gradio's side of the camera; appended to frontends/camera/camera.js.
const live = new Live(element.querySelector(".live"));
watch("value", () => live.reach(props.value?.path));
