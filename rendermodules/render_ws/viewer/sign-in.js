// Asks for the token of the service once; the service then knows the browser by a cookie.

const next = new URLSearchParams(location.search).get("next") ?? "index.html";

document.getElementById("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const token = document.getElementById("token").value.trim();
  const answer = await fetch("session", { method: "POST", headers: { Authorization: `Bearer ${token}` } });
  if (answer.ok) {
    // only to a page of this service
    const place = new URL(next, location.href);
    location.replace(place.origin === location.origin ? place.href : "index.html");
  } else {
    document.getElementById("message").textContent = "That is not the token.";
  }
});
