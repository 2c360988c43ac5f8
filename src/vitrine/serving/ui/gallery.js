// A group of photos to choose from. Its value is what the browser shows: the key of the photo and,
// for one that the visitor sends, its address here.
let turn = 0;

const send = async (file) => {
  const mine = ++turn;
  const src = URL.createObjectURL(file);
  const choose = (key) => { if (mine === turn) props.value = { key, src }; };
  element.querySelectorAll("[type=radio]").forEach((radio) => { radio.checked = false; });
  choose(""); // shown at once, classed once it is there
  if (file.size > props.most) {
    choose("refus:fichier_trop_volumineux");
    return;
  }
  try {
    const answer = await fetch("envoi", { method: "POST", body: file });
    choose((await answer.json()).key);
  } catch {
    choose("refus:coupe");
  }
};

element.addEventListener("change", ({ target }) => {
  if (target.type === "radio") {
    turn += 1;
    props.value = { key: target.value };
  } else if (target.files.length) {
    send(target.files[0]);
    target.value = ""; // so that the same file can be sent again
  }
});

const drop = element.querySelector(".depot");
if (drop) {
  const given = (event, transfer) => {
    const [file] = transfer?.files ?? [];
    if (!file) return;
    event.preventDefault();
    if (drop.checkVisibility()) send(file);
  };
  const over = (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault(); // else the browser would leave the page for the file
    drop.classList.toggle("dessus", event.type === "dragover");
  };
  document.addEventListener("dragover", over);
  document.addEventListener("dragleave", over);
  document.addEventListener("drop", (event) => {
    drop.classList.remove("dessus");
    given(event, event.dataTransfer);
  });
  document.addEventListener("paste", (event) => given(event, event.clipboardData));
}
