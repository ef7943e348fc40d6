// The web map: one layer at a time, its opacity, and the class under the pointer, the finger or the cross.

const byId = (id) => document.getElementById(id);

const STEP = 0.25; // of the zoom

/** The map of the page. Folium adds layers to it before it is shown. */
const newMap = () => L.map("map", { zoomSnap: STEP, maxZoom: 20, zoomControl: true });

/** The bytes of codes packed in Python (zlib, base64). */
async function unpack(text) {
  const packed = atob(text), bytes = new Uint8Array(packed.length);
  for (let k = 0; k < bytes.length; k++) bytes[k] = packed.charCodeAt(k);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The code of a layer at a point in metres of the web's projection; undefined outside. */
function codeAt({ bounds: [west, south, east, north], shape: [rows, columns], codes }, { x, y }) {
  const column = Math.floor((x - west) / (east - west) * columns);
  const row = Math.floor((north - y) / (north - south) * rows);
  return column >= 0 && column < columns && row >= 0 && row < rows ? codes[row * columns + column] : undefined;
}

/** Bring the page to life: `overlays` are Leaflet's layers in the order of `facts.layers`. */
function startMap(map, overlays, facts) {
  const radios = [...document.querySelectorAll("input[name=layer]")], legends = [...document.querySelectorAll(".legend")];
  const range = document.querySelector("input[type=range]"), details = document.querySelector("details");
  L.control.scale({ imperial: false }).addTo(map);

  // One layer at a time.
  const bounds = L.latLngBounds([]);
  overlays.forEach((overlay, k) => {
    overlay.options.alt = facts.layers[k].name;
    bounds.extend(overlay.getBounds());
  });
  const show = (chosen) => {
    overlays.forEach((overlay, k) => (k === chosen ? overlay.addTo(map) : overlay.remove()));
    legends.forEach((legend, k) => (legend.hidden = k !== facts.layers[chosen].legend));
  };
  const fade = () => {
    overlays.forEach((overlay) => overlay.setOpacity(range.value / 100));
    range.nextElementSibling.textContent = `${range.value} %`;
  };
  radios.forEach((radio, k) => radio.addEventListener("change", () => show(k)));
  range.addEventListener("input", fade);

  // The scene fills the map until a reader moves it; a hidden notebook cell gets its size late.
  let moved = false, fitting = false;
  const fit = () => {
    fitting = true;
    map.invalidateSize({ animate: false });
    map.options.zoomSnap = 0;
    if (!moved) map.fitBounds(bounds, { padding: [4, 4], animate: false });
    map.options.zoomSnap = STEP;
    fitting = false;
  };
  map.on("movestart zoomstart", () => (moved ||= !fitting));
  fit();
  new ResizeObserver(fit).observe(map.getContainer());

  tellPlace(map, facts);

  // The base map comes from the web.
  map.eachLayer((layer) => {
    if (!(layer instanceof L.TileLayer)) return;
    layer.on("tileerror", () => (byId("offline").hidden = false));
    layer.on("tileload", () => (byId("offline").hidden = true));
  });

  // In a notebook the page must still scroll: the wheel zooms after a click, two fingers move the map.
  if (window !== window.top) {
    map.scrollWheelZoom.disable();
    map.on("focus", () => map.scrollWheelZoom.enable()).on("blur", () => map.scrollWheelZoom.disable());
    if (matchMedia("(pointer: coarse)").matches) map.dragging.disable();
  }

  const wide = matchMedia("(min-width: 641px)"), unfold = () => (details.open = wide.matches);
  wide.addEventListener("change", unfold);
  window.addEventListener("beforeprint", () => (details.open = true));
  unfold();
  fade();
  show(0);
}

/** The classes at a place: under the mouse, else where the reader clicked or tapped, else at the cross that keys move. */
function tellPlace(map, facts) {
  const place = byId("place"), live = byId("live"), told = facts.layers.filter((layer) => layer.codes);
  const pin = L.circleMarker([0, 0], { radius: 7, weight: 2, color: "#000", fill: false, interactive: false, className: "pin" });
  let rest = 0, pinned = null;
  const degrees = (value, positive, negative) => `${Math.abs(value).toFixed(5)}° ${value < 0 ? negative : positive}`;
  const line = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });

  function tell(where) {
    clearTimeout(rest);
    const point = where && map.options.crs.project(where);
    const lines = told.flatMap((layer) => {
      const code = point && codeAt(layer, point);
      return code === undefined ? [] : [`${layer.name}: ${facts.names[code] ?? "no class"}`];
    });
    place.hidden = !where;
    if (!where) return;
    const { lat, lng } = where.wrap();
    const coordinates = line("small", `${degrees(lat, "N", "S")}, ${degrees(lng, "E", "W")}`);
    place.replaceChildren(...lines.map((text) => line("div", text)), coordinates);
    rest = setTimeout(() => (live.textContent = lines.join(", ")), 600); // spoken at rest
  }

  map.on("mousemove", (event) => tell(event.latlng));
  map.on("mouseout", () => tell(pinned));
  map.on("click", (event) => {
    pinned = event.latlng;
    pin.setLatLng(pinned).addTo(map);
    tell(pinned);
  });

  // The cross is there as long as keys are used.
  const container = map.getContainer(), byKeys = () => container.classList.contains("keys");
  const leave = () => container.classList.remove("keys");
  container.addEventListener("keyup", () => {
    container.classList.add("keys");
    tell(map.getCenter());
  });
  map.on("moveend", () => byKeys() && tell(map.getCenter()));
  container.addEventListener("pointerdown", leave, true);
  container.addEventListener("focusout", ({ relatedTarget }) => {
    if (!byKeys() || container.contains(relatedTarget)) return;
    leave();
    tell(pinned);
  });

  Promise.all(told.map(async (layer) => ({ ...layer, codes: await unpack(layer.codes) }))).then(
    (layers) => told.splice(0, told.length, ...layers),
    () => told.splice(0), // a browser that cannot unpack tells the place alone
  );
}
