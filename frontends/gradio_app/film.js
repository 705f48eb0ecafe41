// Gradio's side of the player; appended to frontends/film/film.js.
const film = new Film(element.querySelector(".film"));
const showFilm = () => film.show(props.value?.html ?? "");
watch("value", showFilm);
showFilm();
