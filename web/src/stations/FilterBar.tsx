import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { choicesQuery } from "../api/queries";
import { type Filter, noFilter } from "../catalogue/filter";
import { isFiltered, useFilter } from "../catalogue/useCatalogue";
import { countryName, languageName, whole } from "../frame/format";
import { Icon } from "../frame/Icon";
import { texts } from "../texts";

const states = ["playing", "failing", "off_hours", "unproven", "retired"] as const;

/** The filters that narrow the globe and the list together. */
export function FilterBar() {
  const [filter, setFilter] = useFilter();
  const [open, setOpen] = useState(false);
  const t = texts.filter;
  const active = isFiltered({ ...filter, q: "" });
  const pick = (change: Partial<Filter>) => setFilter(change);
  return (
    <fieldset className="filters" data-open={open || undefined}>
      <legend className="sr-only">{t.label}</legend>
      <button type="button" className="button filters-open" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name="filter" size={18} />
        <span className="filters-word">{t.open}</span>
        {active && <span className="dot" aria-hidden="true" />}
      </button>
      <div className="filters-body">
        <Pick
          name={t.state}
          value={filter.state}
          options={states.map((state) => [state, texts.state[state] ?? state])}
          pick={(state) => pick({ state: state as Filter["state"] })}
        />
        <Pick
          name={t.type}
          value={filter.type}
          options={Object.entries(texts.kind)}
          pick={(type) => pick({ type: type as Filter["type"] })}
        />
        <Choice
          name={t.country}
          field="countries"
          value={filter.country}
          show={countryName}
          pick={(country) => pick({ country })}
        />
        <Choice
          name={t.language}
          field="languages"
          value={filter.language}
          show={languageName}
          pick={(language) => pick({ language })}
        />
        <Choice
          name={t.codec}
          field="codecs"
          value={filter.codec}
          show={(codec) => codec}
          pick={(codec) => pick({ codec })}
        />
        {isFiltered(filter) && (
          <button type="button" className="link" onClick={() => setFilter(noFilter)}>
            {t.reset}
          </button>
        )}
      </div>
    </fieldset>
  );
}

type PickProps = {
  name: string;
  value: string;
  options: readonly (readonly [string, string])[];
  pick: (value: string) => void;
};

function Pick({ name, value, options, pick }: PickProps) {
  const unlisted = value !== "" && !options.some(([option]) => option === value);
  return (
    <label className="pick" data-set={value !== "" || undefined}>
      <span className="sr-only">{name}</span>
      <select value={value} onChange={(event) => pick(event.target.value)}>
        <option value="">{name}</option>
        {unlisted && <option value={value}>{value}</option>}
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
      <Icon name="down" size={14} />
    </label>
  );
}

type ChoiceProps = {
  name: string;
  field: "countries" | "languages" | "codecs";
  value: string;
  show: (value: string) => string;
  pick: (value: string) => void;
};

/** Offers what occurs in the whole catalogue, whatever the other filters leave of it. */
function Choice({ name, field, value, show, pick }: ChoiceProps) {
  const { data } = useQuery(choicesQuery());
  const options = (data?.[field] ?? []).map(
    ({ value: option, count }) => [option, `${show(option)} (${whole(count)})`] as const,
  );
  return <Pick name={name} value={value} options={options} pick={pick} />;
}
