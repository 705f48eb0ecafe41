// Gradio's side of the camera; appended to frontends/camera/camera.js.
const live = new Live(element.querySelector(".live"));
live.run = `${Math.random()}`;
live.send = (frame) => trigger("frame", frame);
watch("value", () => live.take(props.value));
