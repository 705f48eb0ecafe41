// Gradio's side of the camera; appended to frontends/camera/camera.js.
const live = new Live(element.querySelector(".live"));
live.run = `${Math.random()}`;
live.send = (group) => trigger("frames", group);
watch("value", () => live.answer(props.value));
