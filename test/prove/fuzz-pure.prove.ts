import { argumentProperties } from '../support/fuzz/arguments.ts';
import { nameProperties } from '../support/fuzz/names.ts';
import { optionProperties } from '../support/fuzz/options.ts';
import { screenProperties } from '../support/fuzz/screens.ts';
import { filterProperties } from '../support/fuzz/terminal-filters.ts';
import { terminalProperties } from '../support/fuzz/terminals.ts';
import { textProperties } from '../support/fuzz/texts.ts';
import { testProperties } from '../support/fuzz/try.ts';

const properties = {
  ...textProperties,
  ...terminalProperties,
  ...screenProperties,
  ...filterProperties,
  ...argumentProperties,
  ...nameProperties,
  ...optionProperties,
};
testProperties(properties, { share: 1 / Object.keys(properties).length });
