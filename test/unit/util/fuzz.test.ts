import { argumentProperties } from '../../support/fuzz/arguments.ts';
import { nameProperties } from '../../support/fuzz/names.ts';
import { optionProperties } from '../../support/fuzz/options.ts';
import { terminalProperties } from '../../support/fuzz/terminals.ts';
import { textProperties } from '../../support/fuzz/texts.ts';
import { testProperties } from '../../support/fuzz/try.ts';

// The long form is test/prove/fuzz-pure.prove.ts.
testProperties(
  { ...textProperties, ...terminalProperties, ...argumentProperties, ...nameProperties, ...optionProperties },
  { numRuns: 60 },
);
