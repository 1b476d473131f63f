type Props<T extends string> = {
  label: string;
  value: T;
  options: readonly T[];
  word: (option: T) => string;
  pick: (option: T) => void;
};

/** One of a few, all in sight. */
export function Switch<T extends string>({ label, value, options, word, pick }: Props<T>) {
  return (
    <fieldset className="switch">
      <legend className="sr-only">{label}</legend>
      {options.map((option) => (
        <button
          key={option}
          type="button"
          className="button"
          aria-pressed={option === value}
          onClick={() => pick(option)}
        >
          {word(option)}
        </button>
      ))}
    </fieldset>
  );
}
