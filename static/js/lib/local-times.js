/** Write every moment below `root` in the visitor's own time, in the form and length that the server gave it in UTC. */
export function localTimes(root) {
  for (const time of root.querySelectorAll("time[data-local]")) {
    const when = new Date(time.dateTime);
    const two = (number) => String(number).padStart(2, "0");
    const day = [when.getFullYear(), two(when.getMonth() + 1), two(when.getDate())].join("-");
    time.textContent = `${day} ${two(when.getHours())}:${two(when.getMinutes())}`;
  }
}
