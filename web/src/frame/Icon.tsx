const paths = {
  globe:
    "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM3 12h18M12 3c2.600 2.700 3.800 5.700 3.800 9s-1.200 6.300-3.800 9c-2.600-2.700-3.800-5.700-3.800-9S9.400 5.700 12 3Z",
  stations:
    "M12 11.500v9M8.500 20.500h7M12 11.500a1.800 1.800 0 1 0 0-3.600 1.800 1.800 0 0 0 0 3.600ZM7.800 14a6 6 0 0 1 0-8.500M16.200 5.500a6 6 0 0 1 0 8.500M5 16.800a10 10 0 0 1 0-14M19 2.800a10 10 0 0 1 0 14",
  plays:
    "M4 6h9M4 11h9M4 16h5M17 17V6.500l4-1.500v3l-4 1.500M14.800 19.200a2.200 2.200 0 1 0 0-4.400 2.200 2.200 0 0 0 0 4.400Z",
  library: "M5 4v16M9 4v16M13 4.500l5.500 15M4 20h17",
  review: "M12 3.500v17M6 20.500h12M4 7.500h16M4 7.500 1.800 14h4.400ZM20 7.500 17.800 14h4.400Z",
  unknown:
    "M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M9.500 9.800a2.600 2.600 0 1 1 3.600 2.400c-.7.3-1.100.8-1.100 1.500v.5M12 17h.01",
  moderation: "M12 3.500 5 6v5.500c0 4.300 2.900 7.400 7 9 4.100-1.600 7-4.700 7-9V6ZM8.800 12l2.300 2.300 4.200-4.600",
  alerts: "M6 16.500V11a6 6 0 0 1 12 0v5.500l1.500 1.500h-15ZM10 20.500h4M12 3v2",
  system: "M3 12h4l2.500-7 4.500 14 2.500-7H21",
  search: "M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13ZM15.500 15.500 21 21",
  close: "M6 6l12 12M18 6 6 18",
  play: "M8 5.500v13l11-6.500z",
  stop: "M7 7h10v10H7z",
  next: "M6 6v12l8.500-6zM18 6v12",
  previous: "M18 6v12l-8.500-6zM6 6v12",
  volume: "M4 9.500v5h3.500L12 18.500v-13L7.500 9.500ZM15.500 9a4.200 4.200 0 0 1 0 6M18.200 6.500a8 8 0 0 1 0 11",
  muted: "M4 9.500v5h3.500L12 18.500v-13L7.500 9.500ZM16 9.500l5 5M21 9.500l-5 5",
  picture: "M4 5h16v11H4zM9 20h6",
  sun: "M12 16.500a4.500 4.500 0 1 0 0-9 4.500 4.500 0 0 0 0 9ZM12 2v2.500M12 19.500V22M2 12h2.500M19.500 12H22M5 5l1.700 1.700M17.300 17.300 19 19M19 5l-1.700 1.700M6.700 17.300 5 19",
  moon: "M20 14.500A8.500 8.500 0 0 1 9.500 4 8.500 8.500 0 1 0 20 14.500Z",
  help: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM9.500 9.500a2.600 2.600 0 1 1 3.600 2.400c-.7.3-1.100.8-1.100 1.600v.5M12 17h.01",
  account: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.500 20.500c.8-3.600 3.800-5.500 7.500-5.500s6.700 1.900 7.500 5.500",
  filter: "M4 7h16M7 12h10M10 17h4",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  whole: "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16ZM12 2v4M12 18v4M2 12h4M18 12h4",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  out: "M14 4h6v6M20 4l-9 9M10 6H5v13h13v-5",
  up: "M6 15l6-6 6 6",
  down: "M6 9l6 6 6-6",
} as const;

export type IconName = keyof typeof paths;

const solid: ReadonlySet<IconName> = new Set(["play", "stop", "next", "previous"]);

/** A drawing beside a text; it is hidden from screen readers, the text or label beside it speaks. */
export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path
        d={paths[name]}
        fill={solid.has(name) ? "currentColor" : "none"}
        stroke="currentColor"
        strokeWidth="1.6"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
