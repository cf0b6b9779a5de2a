import { filterProperties } from '../../support/fuzz/terminal-filters.ts';
import { testProperties } from '../../support/fuzz/try.ts';

testProperties(filterProperties, { numRuns: 150 });
